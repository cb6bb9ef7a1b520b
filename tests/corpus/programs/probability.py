"""TensorFlow Probability, as its tutorials have it."""

import tensorflow as tf
import tensorflow_probability as tfp

tfd, tfb = tfp.distributions, tfp.bijectors

joint = tfd.JointDistributionNamed(
    dict(
        mu=tfd.Normal(0.0, 1.0),
        sigma=tfd.HalfNormal(1.0),
        x=lambda mu, sigma: tfd.Sample(tfd.Normal(mu, sigma), 20),
    )
)


def log_prob_gradient(mu, sigma, x):
    with tf.GradientTape() as tape:
        tape.watch([mu, sigma])
        lp = joint.log_prob(mu=mu, sigma=sigma, x=x)
    return lp, tape.gradient(lp, [mu, sigma])


def target(z):
    return tfd.MultivariateNormalDiag(loc=[1.0, -1.0], scale_diag=[1.0, 2.0]).log_prob(z)


def hmc(seed):
    kernel = tfp.mcmc.HamiltonianMonteCarlo(target, step_size=0.3, num_leapfrog_steps=3)
    return tfp.mcmc.sample_chain(
        5, current_state=tf.zeros([2]), kernel=kernel, num_burnin_steps=2, seed=seed, trace_fn=None
    )


def variational():
    q = tfd.MultivariateNormalTriL(
        loc=tf.Variable(tf.zeros(2)),
        scale_tril=tfp.util.TransformedVariable(tf.eye(2), tfb.FillScaleTriL()),
    )

    def elbo(seed):
        z = q.sample(16, seed=seed)
        return tf.reduce_mean(target(z) - q.log_prob(z))

    return elbo


def flow():
    net = tfb.AutoregressiveNetwork(params=2, hidden_units=[8], activation="relu", event_shape=[3])
    distribution = tfd.TransformedDistribution(
        tfd.Sample(tfd.Normal(0.0, 1.0), 3), tfb.MaskedAutoregressiveFlow(net)
    )

    def log_prob(x):
        return distribution.log_prob(x)

    return log_prob


def gaussian_process(x, y):
    kernel = tfp.math.psd_kernels.ExponentiatedQuadratic()
    return tfd.GaussianProcess(kernel, x[:, None], observation_noise_variance=0.1).log_prob(y)


def state_space(x):
    trend = tfp.sts.LocalLinearTrend(observed_time_series=x)
    return trend.make_state_space_model(10, [0.1, 0.2]).log_prob(x[..., tf.newaxis])


def bfgs(start):
    def value_and_gradient(z):
        return tfp.math.value_and_gradient(lambda w: tf.reduce_sum((w - 1.0) ** 4), z)

    result = tfp.optimizer.bfgs_minimize(
        value_and_gradient, initial_position=start, max_iterations=10
    )
    return result.position, result.converged


def make_trainable():
    loc = tf.Variable(0.0, name="loc")
    scale = tfp.util.TransformedVariable(1.0, bijector=tfb.Softplus(), name="scale")
    surrogate = tfd.Normal(loc=loc, scale=scale)

    def step(x):
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(surrogate.log_prob(x))
        for v, g in zip(
            surrogate.trainable_variables, tape.gradient(loss, surrogate.trainable_variables)
        ):
            v.assign_sub(0.1 * g)
        return loss

    return step
